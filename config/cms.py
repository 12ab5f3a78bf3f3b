"""The CMS in this house: who gets in, and people with our user model: one name, an e-mail address, a language."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail.users.forms import UserCreationForm, UserEditForm
from wagtail.users.views.users import UserViewSet as WagtailUserViewSet

from organisations.models import User

FIELDS = {"email", "name", "known_as", "language", "is_active", "is_superuser", "groups"}


def for_editors(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Who is signed in without the right for the CMS is told so.

    Wagtail would send her to sign in, and the sign-in page, where she is signed in already, back to the CMS.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and not request.user.has_perm("wagtailadmin.access_admin"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


class PersonCreationForm(UserCreationForm):
    first_name = None
    last_name = None
    email = forms.EmailField(label=_("E-mail address"))

    class Meta(UserCreationForm.Meta):
        model = User
        fields = FIELDS


class PersonEditForm(UserEditForm):
    first_name = None
    last_name = None
    email = forms.EmailField(label=_("E-mail address"))

    class Meta(UserEditForm.Meta):
        model = User
        fields = FIELDS


class UserViewSet(WagtailUserViewSet):
    template_prefix = "config/users/"

    def get_form_class(self, for_update: bool = False) -> type[forms.ModelForm]:
        return PersonEditForm if for_update else PersonCreationForm
