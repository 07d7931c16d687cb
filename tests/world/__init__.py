"""The physical model, against answers computed by hand."""
