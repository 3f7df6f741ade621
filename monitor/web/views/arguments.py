"""What handlers take from an address or a form, checked."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Form, Path, Query
from pydantic import Field

#: The largest id that every database can hold.
_LARGEST = 2**31 - 1
_Id = Annotated[int, Field(ge=1, le=_LARGEST)]

Id = Annotated[int, Path(ge=1, le=_LARGEST)]
Ids = Annotated[Sequence[_Id], Form()]
Before = Annotated[int | None, Query(ge=1, le=_LARGEST)]
