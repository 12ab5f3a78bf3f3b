"""A certificate in a profile elsewhere and in a CV: an address to press, and a line to copy. Pure.

Source: LinkedIn's "Add to Profile" form (startTask=CERTIFICATION_NAME). Nothing of it is loaded here; whoever presses the
link takes title, issuer, months, number and the address of the check along, and nothing else.
"""

from __future__ import annotations

from urllib.parse import urlencode

from certificates.record import Claim

LINKEDIN = "https://www.linkedin.com/profile/add"


def linkedin_address(claim: Claim) -> str:
    """LinkedIn's form, filled in."""
    values: dict[str, object] = {
        "startTask": "CERTIFICATION_NAME",
        "name": claim.title,
        "organizationName": claim.issuer,
        "issueYear": claim.issued_on.year,
        "issueMonth": claim.issued_on.month,
    }
    if claim.last_valid_on is not None:
        values |= {"expirationYear": claim.last_valid_on.year, "expirationMonth": claim.last_valid_on.month}
    values |= {"certId": claim.serial, "certUrl": claim.url}
    return f"{LINKEDIN}?{urlencode(values)}"


def cv_line(claim: Claim, month: str) -> str:
    """Title, issuer, month and the address where it is checked; `month` in words."""
    return f"{claim.title}. {claim.issuer}, {month}. {claim.url}"
