"""The lifetime models of all fit dates: customer_segmentation.lifetime does the work."""

from customer_segmentation.lifetime.table import fit_table


def model(dbt, session):
    """Fit purchases and spend for each fit date."""
    settings = dict(dbt.ref("fit_settings").fetchall())
    dates = dbt.ref("fit_dates").df()["fitted_on"]
    states, spend = dbt.ref("lifetime_states").df(), dbt.ref("spend_states").df()
    parameters = fit_table(dates, states, spend, settings)  # noqa: F841
    return session.sql("""
        select
            cast(fitted_on as date) as fitted_on,
            cast(model as string) as model,
            cast(parameter as string) as parameter,
            cast(value as double) as value,
            cast(note as string) as note
        from parameters
    """)
