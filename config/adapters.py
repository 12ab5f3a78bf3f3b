"""Where signing in and up differ from allauth's own way."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import timezone
from wagtail.permissions import page_permission_policy

from competencies.perms import is_steward
from competencies.selectors import profiles_by_person
from organisations.perms import is_editor, signed_in


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether strangers may sign up is the operator's switch (SIGNUP_OPEN)."""
        return bool(settings.SIGNUP_OPEN)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To the desk where one's work is: HR officers, administrators and editors to theirs; stewards where no path waits."""
        user = signed_in(request)
        if user.hr_mandates.exists():
            return resolve_url("hr")
        if user.is_superuser:
            return resolve_url("wagtailadmin_home")
        if page_permission_policy.user_has_any_permission(user, {"add", "change", "publish"}):
            return resolve_url("wagtailadmin_explore_root")
        if not profiles_by_person([user.pk], timezone.localdate()).get(user.pk):
            if is_steward(user):
                return resolve_url("framework_desk")
            if is_editor(user):
                return resolve_url("wagtailadmin_home")
        return str(super().get_login_redirect_url(request))
