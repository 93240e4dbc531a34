"""Lets plain dbt find this project's profile wherever it is called from.

dbt looks for profiles.yml in DBT_PROFILES_DIR, in the working directory and in the home directory, but
not in the project that --project-dir names. This module runs at every start of Python in an environment
that has the package (customer_segmentation.pth), so it uses nothing but the standard library.
"""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def point_dbt_to_profile() -> None:
    """Set DBT_PROFILES_DIR to the project, unless the user or the working directory names a profile.

    Another dbt project, which may use this one as a package, has a profile of its own somewhere. A copy of
    this package outside the project (an install that is not editable) has no profile to point to.
    """
    if "DBT_PROFILES_DIR" in os.environ or Path("profiles.yml").exists():
        return
    if Path("dbt_project.yml").exists() and Path.cwd().resolve() != PROJECT:
        return
    if (PROJECT / "profiles.yml").is_file():
        os.environ["DBT_PROFILES_DIR"] = str(PROJECT)


point_dbt_to_profile()
