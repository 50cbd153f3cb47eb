"""From exported files to normalised tables: read as they stand, typed, checked, rejects kept."""
