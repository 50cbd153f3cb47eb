"""HTML pages of a training, an audit or a comparison: one file each, which opens offline."""
