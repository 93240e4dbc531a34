"""Customer segmentation with dbt and DuckDB: the command line, and the pure functions that the fits call."""
