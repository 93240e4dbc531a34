"""Clusters at each fit date, as a table of parameters: customer_segmentation.clusters says what it holds."""

import duckdb

from customer_segmentation import clusters


def model(dbt, session):
    """Return the table; ids are those of the last build, which is this table as it stands."""
    sample = dbt.ref("cluster_sample").df()
    columns = clusters.read_columns(dbt.ref("cluster_columns").df())
    settings = dict(dbt.ref("fit_settings").fetchall())
    fit_dates = [fitted_on for (fitted_on,) in dbt.ref("fit_dates").fetchall()]
    try:
        previous = session.sql(f"select * from {dbt.this}").df()
    except duckdb.CatalogException:
        previous = None  # the first build
    return clusters.fit_table(sample, columns, settings, previous, fit_dates)
