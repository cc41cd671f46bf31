"""What may occur in a statement: functions, types and collations. What is not here is refused.

Every function here is pure and answers from its arguments alone. None reads a file, a setting, the catalog, the
environment or a sequence, and none takes SQL as text.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_OPERATORS = "+ - * / // % ^ ** || ~~ !~~ ~~* !~~* ~~~ ^@ @ like_escape not_like_escape ilike_escape not_ilike_escape"
_TEXT = """
    lower upper lcase ucase length len char_length character_length strlen substring substr left right trim
    ltrim rtrim concat concat_ws replace translate reverse starts_with ends_with prefix suffix contains position strpos
    instr split_part string_split split str_split ascii chr levenshtein damerau_levenshtein jaro_similarity
    jaro_winkler_similarity editdist3 hamming jaccard regexp_matches regexp_full_match regexp_extract
    regexp_extract_all regexp_replace regexp_split_to_array string_split_regex nfc_normalize strip_accents
    format_bytes
"""
_NUMBERS = """
    abs ceil ceiling floor round trunc sign sqrt cbrt exp ln log log2 log10 pow power mod fmod divide multiply add
    subtract greatest least gcd lcm isnan isinf isfinite even pi degrees radians
"""
_TIMES = """
    date_part datepart date_trunc datetrunc date_diff datediff date_sub datesub date_add time_bucket age strftime
    strptime try_strptime make_date make_timestamp make_time epoch epoch_ms epoch_us year month day hour minute second
    millisecond microsecond quarter week weekday dayofweek isodow dayofmonth dayofyear weekofyear yearweek isoyear
    dayname monthname last_day decade century
    to_years to_quarters to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds
"""
_CHOICES = "nullif"
_LISTS = """
    list_value list_contains list_has array_contains array_has list_has_any array_has_any list_has_all array_has_all
    list_position list_indexof array_position list_extract list_element array_extract list_slice array_slice list_sort
    array_sort list_reverse_sort array_reverse_sort list_reverse array_reverse list_distinct array_distinct list_unique
    array_unique list_filter array_filter filter list_transform array_transform list_apply array_apply apply
    list_concat list_cat array_concat array_cat list_append array_append list_prepend array_prepend list_intersect
    array_intersect flatten array_length array_to_string
    list_sum list_min list_max list_avg list_count list_any_value list_first list_last list_median list_mode
    list_string_agg list_bool_and list_bool_or unnest row struct_pack struct_extract
"""
_AGGREGATES = """
    count count_star sum avg mean min max median mode any_value first last arbitrary bool_and bool_or count_if countif
    sum_no_overflow fsum product list array_agg string_agg group_concat listagg arg_min argmin min_by arg_max argmax
    max_by quantile quantile_cont quantile_disc stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop
    covar_samp regr_slope regr_intercept regr_r2 approx_count_distinct approx_quantile entropy skewness
    kurtosis
"""
_WINDOWS = (
    "row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value"
)

AGGREGATES = words(_AGGREGATES)
WINDOWS = words(_WINDOWS) | AGGREGATES
SCALARS = words(" ".join((_OPERATORS, _TEXT, _NUMBERS, _TIMES, _CHOICES, _LISTS)))
FUNCTIONS = SCALARS | AGGREGATES
# What the moment of `servers_at(moment)` may be made with: it is worked out before anything is read.
MOMENTS = words(
    "+ - date_trunc datetrunc make_date make_timestamp trunc to_years to_quarters to_months to_weeks to_days to_hours "
    "to_minutes to_seconds"
)
# Functions that make rows: of a list, or of numbers and days to count by. How much they make is bounded by where the
# statement runs.
ROWS = frozenset({"unnest", "generate_series", "range"})

# The time at which the question is asked, as a TIMESTAMP in UTC like all times of the views, or as its DATE.
NOW = words("now current_timestamp get_current_timestamp transaction_timestamp localtimestamp current_localtimestamp")
TODAY = frozenset({"today", "current_date"})
WORDS = frozenset({"current_timestamp", "localtimestamp", "current_date"})  # without brackets

TYPES = words(
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE DECIMAL VARCHAR "
    "DATE TIME TIMESTAMP INTERVAL LIST NULL"
)
# Times of the views are in UTC without saying so: what is cast to a time with a zone is cast to one of them.
ZONED = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
CONSTANTS = words("BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT DOUBLE DECIMAL VARCHAR NULL")
COLLATIONS = frozenset({"nocase", "noaccent", "nocase.noaccent", "noaccent.nocase"})
