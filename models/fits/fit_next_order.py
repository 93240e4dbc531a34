"""Learns on every fit date how likely a buyer is to order again soon: customer_segmentation/next_order."""

from customer_segmentation.fits import due_fits, stored_fits, with_stored


def model(dbt, session):
    """Return the stored fits and those that are due, one row per fit, feature and metric."""
    due = due_fits(dbt.ref("fits_due"), "fit_next_order")
    made = None
    if due.dates:
        from customer_segmentation.next_order import fit_table, read_features

        features = read_features(due.settings["features"])
        made = fit_table(dbt.ref("next_order_training").df(), features, due.dates, due.settings["days"])
    return with_stored(session, stored_fits(session, dbt.this), made, due, dbt.ref("fit_dates"))
