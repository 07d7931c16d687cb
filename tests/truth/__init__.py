"""Truth against answers derived by hand."""
