"""What production refuses to start with."""

from django.core.exceptions import ImproperlyConfigured


def refuse_demo_accounts() -> None:
    """Raise ImproperlyConfigured while an account with the published demo password exists."""
    from organisations.demo import demo_accounts_present

    present = demo_accounts_present()
    if present:
        raise ImproperlyConfigured(
            "This database holds demo accounts, whose password is public: "
            f"{', '.join(present)}. Production does not start with them. Use a database of its own."
        )
