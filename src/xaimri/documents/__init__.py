"""Documents: one HTML file each, filled from a template; everything is escaped, nothing is fetched."""
