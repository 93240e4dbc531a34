{{ side_by_side('as_of_date = ' ~ latest_date()) }}
