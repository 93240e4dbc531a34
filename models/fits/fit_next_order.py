"""Learns on every fit date how likely a buyer is to order again soon: customer_segmentation/next_order."""

from customer_segmentation.next_order import fit_table, read_features


def model(dbt, session):
    """Return the parameters of all fits, one row per fit, feature and metric."""
    training = dbt.ref("next_order_training").df()
    columns = dbt.ref("next_order_columns").df()
    fit_dates = dbt.ref("fit_dates").df()
    settings = dbt.ref("fit_settings").df()
    days = int(settings.set_index("name")["value"]["next_order_days"])
    fits = fit_table(training, read_features(columns), fit_dates["fitted_on"], days)
    return session.from_df(fits).project("cast(fitted_on as date) as fitted_on, feature, metric, value, note")
