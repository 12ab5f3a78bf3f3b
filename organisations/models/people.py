"""People who sign in by e-mail."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def visible_to(self, viewer: User, as_of: date | None = None) -> UserQuerySet:
        """Whom `viewer` may look at: herself, those she leads, those of the units she serves as HR; all, as administrator."""
        from organisations.perms import visible_people

        return self.filter(visible_people(viewer, as_of or timezone.localdate())).distinct()

    def led_by(self, manager: User, as_of: date | None = None) -> UserQuerySet:
        """The manager's team: holders of the posts that report to hers, through vacant posts between."""
        from organisations.perms import led_people

        return self.filter(led_people(manager, as_of or timezone.localdate())).exclude(pk=manager.pk).distinct()

    def in_hr_scope_of(self, officer: User, as_of: date | None = None) -> UserQuerySet:
        """People in the units (and below) for which `officer` holds an HR mandate."""
        from organisations.perms import people_in_hr_scope

        return self.filter(people_in_hr_scope(officer, as_of or timezone.localdate())).distinct()


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email__iexact=email)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("A person needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """One person. The name is one field: not every people splits names in two."""

    email = models.EmailField(
        _("e-mail address"),
        unique=True,
        error_messages={"unique": _("There is already an account with this e-mail address.")},
    )
    name = models.CharField(_("name"), max_length=200, help_text=_("As it should stand on certificates."))
    known_as = models.CharField(
        _("known as"),
        max_length=80,
        blank=True,
        help_text=_("How we greet this person; the first word of the name if empty."),
    )
    language = models.CharField(
        _("language"),
        max_length=12,
        blank=True,
        help_text=_("The language of mails and, when first signing in, of the pages."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    date_joined = models.DateTimeField(_("since"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="organisations_one_account_per_email",
                violation_error_message=_("There is already an account with this e-mail address."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = type(self).objects.normalize_email(self.email).lower()
        # A line break in a name would end the subject of a mail.
        self.name, self.known_as = " ".join(self.name.split()), " ".join(self.known_as.split())

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.known_as or self.name.split(" ")[0]


def display_name(user: User) -> str:
    """What allauth calls a person in its pages and mails."""
    return str(user)
