"""Private data that has a shape: UK telephone numbers, postcodes, addresses, e-mail, and a pupil's full name.

Found in the original text, so that the spans can be redacted. What has no shape (health, rumours) is the model's.
"""

import re

from monitor.domain.verdict import Label, Span

#: Ofcom numbering: +44 or 0, then 9 or 10 digits, spaced as people like.
_PHONE = re.compile(r"(?<![\w£.])(?:\+44[\s-]?(?:\(0\)[\s-]?)?|0)\d(?:[\s().-]{0,2}\d){8,9}(?![\w])")
#: Royal Mail's format of a full postcode.
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b")
_ADDRESS = re.compile(
    r"\b(?:flat \d+[a-z]?,? )?\d{1,4}[a-z]?,? (?:[A-Z][\w']+[ -]){1,3}"
    r"(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Close|Drive|Dr|Way|Court|Crescent|Terrace|Row|Rise|Place|Gardens|Grove|"
    r"Yard|Hill|Park|Square|Mews|Walk|View|Green|Gate|Fold|Croft|End|Cottages?|Parade|Vale)\b"
)
_NAME = r"[A-Z][a-zà-ÿ]+(?:-[A-Z][a-zà-ÿ]+)?"
_CHILD = r"(?:grand|god|step)?-?(?:son|daughter|child)|niece|nephew|cousin|grandaughter"
_KIN = "mum|mam|dad|nan|carer|gran|auntie|aunt|uncle|record"
_PUPIL = re.compile(
    rf"\b(?:{_CHILD}),? ({_NAME} {_NAME})\b"
    rf"|\b({_NAME} {_NAME})(?:['’]s (?:{_KIN})\b|,? (?:is |from |in )*(?:Year|Yr|Y|year|yr|y) ?\d{{1,2}}\b)"
)
#: Capitalised words before a class that are no pupil's name.
_NO_PUPIL = re.compile(
    r"\b(?:Mrs|Mr|Miss|Ms|Mx|Dr|Coach|The|Our|Well|Good|Thank|Thanks|Dear|Happy|Merry|Go|Hey|Hi|Hello|To|All|Love|Class"
    r"|Come|Bravo|Great|Amazing|Proud|Is|Are|In|Sats|SATs|Year|Congratulations)\b"
)


def find(text: str) -> list[Span]:
    """Where `text` shows contact details, in order of appearance."""
    patterns = (_PHONE, _POSTCODE, _EMAIL, _ADDRESS)
    spans = [_span(*match.span()) for pattern in patterns for match in pattern.finditer(text)]
    return sorted(spans, key=lambda span: span.start)


def find_pupils(text: str) -> list[Span]:
    """Where `text` seems to give a child's full name: what is nobody's on the roster has to be told apart there."""
    return [
        _span(*match.span(group))
        for match in _PUPIL.finditer(text)
        for group in (1, 2)
        if match[group] and not _NO_PUPIL.search(match[group])
    ]


def _span(start: int, end: int) -> Span:
    return Span(start=start, end=end, label=Label.PERSONAL_DATA)
