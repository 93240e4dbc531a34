"""The lifetime models of all fit dates: customer_segmentation.lifetime does the work."""

from customer_segmentation.fits import due_fits, stored_fits, with_stored


def model(dbt, session):
    """Return the stored fits of purchases and spend, and those that are due."""
    due = due_fits(dbt.ref("fits_due"), "fit_lifetime")
    made = None
    if due.dates:
        from customer_segmentation.lifetime.table import fit_table

        states, spend = dbt.ref("lifetime_states").df(), dbt.ref("spend_states").df()
        made = fit_table(due.dates, states, spend, due.settings["model"])
    return with_stored(session, stored_fits(session, dbt.this), made, due, dbt.ref("fit_dates"))
