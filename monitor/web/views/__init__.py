"""The screens of the desk, one a module: `pages` are its routes that show, `forms` those that change something."""
