"""The words and rules of the product. Pure: no I/O library, and no clock but an argument called `now`."""
