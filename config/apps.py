from wagtail.users.apps import WagtailUsersAppConfig


class UsersConfig(WagtailUsersAppConfig):
    """Wagtail's user pages with our user model: one name, no username."""

    user_viewset = "config.cms.UserViewSet"
