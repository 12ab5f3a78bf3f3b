"""Who may look after a certificate after it was issued, and who lays down by which criteria they are."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from certificates.enums import DefinitionStatus
from certificates.models import Certificate, CertificateQuerySet, Definition, DefinitionQuerySet, IssuingBody
from organisations.models import Unit, User
from organisations.perms import hr_paths, is_hr_of, units_served


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


# --- Laying down ---------------------------------------------------------------------------------------------------
def may_define(user: User, unit: Unit | None) -> bool:
    """HR officers for the units they serve; what is for everybody, administrators."""
    if user.is_superuser or unit is None:
        return user.is_superuser
    return units_served(user).filter(pk=unit.pk).exists()


def definitions_edited_by(officer: User) -> DefinitionQuerySet:
    """Definitions of the units an officer serves: hers to change. For administrators all."""
    rows = Definition.objects.all()
    return rows if officer.is_superuser else rows.filter(unit__in=units_served(officer).order_by().values("pk"))


def definitions_open_to(officer: User) -> DefinitionQuerySet:
    """Her own, and those that apply to her people because they are laid down for a unit above, or for everybody."""
    rows = Definition.objects.all()
    if officer.is_superuser:
        return rows
    above = Q(unit__isnull=True) | Q(unit__path__in=_above(officer))
    served = Q(unit__in=units_served(officer).order_by().values("pk"))
    return rows.filter(served | (above & ~Q(status=DefinitionStatus.DRAFT)))


def bodies_edited_by(officer: User) -> QuerySet[IssuingBody]:
    rows = IssuingBody.objects.all()
    return rows if officer.is_superuser else rows.filter(unit__in=units_served(officer).order_by().values("pk"))


def bodies_open_to(officer: User) -> QuerySet[IssuingBody]:
    """In whose name she may have certificates issued: hers, those of the units above, and the usual one."""
    rows = IssuingBody.objects.all()
    if officer.is_superuser:
        return rows
    served = Q(unit__in=units_served(officer).order_by().values("pk"))
    return rows.filter(served | Q(unit__isnull=True) | Q(unit__path__in=_above(officer)))


def _above(officer: User) -> set[str]:
    """Tree paths of the units above those an officer serves."""
    return {path[:end] for path in hr_paths(officer) for end in range(Unit.steplen, len(path), Unit.steplen)}
