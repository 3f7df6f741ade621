"""The desk: pages for the people of a school. They read through `window` and write by `casework`."""
