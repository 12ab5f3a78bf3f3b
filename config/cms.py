"""Wagtail's people pages with our user model: one name, an e-mail address, a language."""

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.users.forms import UserCreationForm, UserEditForm
from wagtail.users.views.users import UserViewSet as WagtailUserViewSet

from organisations.models import User

FIELDS = {"email", "name", "known_as", "language", "is_active", "is_superuser", "groups"}


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
