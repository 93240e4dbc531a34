"""Clusters at each fit date, as a table of parameters: customer_segmentation.clusters says what it holds."""

from customer_segmentation.fits import due_fits, stored_fits, with_stored


def model(dbt, session):
    """Return the stored fits and those that are due; clusters that are found again keep their ids."""
    due = due_fits(dbt.ref("fits_due"), "fit_clusters")
    stored = stored_fits(session, dbt.this)
    made = None
    if due.dates:
        from customer_segmentation import clusters  # only where it is needed: it takes a second

        columns = clusters.read_columns(due.settings["columns"])
        previous = None if stored is None or dbt.config.meta_get("restate") else stored.df()
        sample = dbt.ref("cluster_sample").df()
        made = clusters.fit_table(sample, columns, due.settings["method"], previous, due.dates)
    return with_stored(session, stored, made, due, dbt.ref("fit_dates"))
