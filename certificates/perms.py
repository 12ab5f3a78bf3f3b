"""Who may look after a certificate after it was issued."""

from __future__ import annotations

from certificates.models import Certificate, CertificateQuerySet
from organisations.models import User
from organisations.perms import is_hr_of


def may_look_after(user: User, certificate: Certificate) -> bool:
    """HR officers of the unit its holder works in, and administrators; nobody her own. A holder who has left, or whose
    account is gone, is looked after by administrators."""
    if certificate.holder_id == user.pk:
        return False
    if user.is_superuser:
        return True
    return certificate.holder is not None and is_hr_of(user, certificate.holder)


def looked_after_by(user: User) -> CertificateQuerySet:
    """The certificates that `may_look_after` allows. One query."""
    rows = Certificate.objects.exclude(holder=user)
    return rows if user.is_superuser else rows.filter(holder__in=User.objects.in_hr_scope_of(user).values("pk"))
