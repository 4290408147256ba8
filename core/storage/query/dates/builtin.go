package dates

import "strings"

// The parts that the built-in formats are made of, with the letters of this package.
const (
	dateTime     = "uuuu-MM-dd'T'HH:mm:ss"
	optionalTime = "['T'[HH[:mm[:ss[g]]][j]]]"
	weekDate     = "YYYY-'W'ww-e"
	basicTime    = "HHmmss"
	basicWeek    = "YYYY'W'wwe"
)

// builtins are Elasticsearch's formats without the strict_ before their names.
var builtins = map[string]string{
	"iso8601":                           "uuuu[-MM[-dd" + optionalTime + "]]",
	"date_optional_time":                "uuuu[-MM[-dd" + optionalTime + "]]",
	"date_optional_time_nanos":          "uuuu[-MM[-dd" + optionalTime + "]]",
	"basic_date":                        "uuuuMMdd",
	"basic_date_time":                   "uuuuMMdd'T'" + basicTime + "fj",
	"basic_date_time_no_millis":         "uuuuMMdd'T'" + basicTime + "j",
	"basic_ordinal_date":                "uuuuDDD",
	"basic_ordinal_date_time":           "uuuuDDD'T'" + basicTime + "fj",
	"basic_ordinal_date_time_no_millis": "uuuuDDD'T'" + basicTime + "j",
	"basic_time":                        basicTime + "fj",
	"basic_time_no_millis":              basicTime + "j",
	"basic_t_time":                      "'T'" + basicTime + "fj",
	"basic_t_time_no_millis":            "'T'" + basicTime + "j",
	"basic_week_date":                   basicWeek,
	"basic_week_date_time":              basicWeek + "'T'" + basicTime + "fj",
	"basic_week_date_time_no_millis":    basicWeek + "'T'" + basicTime + "j",
	"date":                              "uuuu[-MM[-dd]]",
	"date_hour":                         "uuuu-MM-dd'T'HH",
	"date_hour_minute":                  "uuuu-MM-dd'T'HH:mm",
	"date_hour_minute_second":           dateTime,
	"date_hour_minute_second_fraction":  dateTime + "f",
	"date_hour_minute_second_millis":    dateTime + "f",
	"date_time":                         dateTime + "fj",
	"date_time_no_millis":               "uuuu-MM-dd'T'HH:mm[:ss][j]",
	"hour":                              "HH",
	"hour_minute":                       "HH:mm",
	"hour_minute_second":                "HH:mm:ss",
	"hour_minute_second_fraction":       "HH:mm:ssf",
	"hour_minute_second_millis":         "HH:mm:ssf",
	"ordinal_date":                      "uuuu-DDD",
	"ordinal_date_time":                 "uuuu-DDD'T'HH:mm:ssfj",
	"ordinal_date_time_no_millis":       "uuuu-DDD'T'HH:mm:ssj",
	"time":                              "HH:mm:ssfj",
	"time_no_millis":                    "HH:mm:ssj",
	"t_time":                            "'T'HH:mm:ssfj",
	"t_time_no_millis":                  "'T'HH:mm:ssj",
	"week_date":                         weekDate,
	"week_date_time":                    weekDate + "'T'HH:mm:ssfj",
	"week_date_time_no_millis":          weekDate + "'T'HH:mm:ssj",
	"week_year":                         "YYYY",
	"weekyear":                          "YYYY",
	"weekyear_week":                     "YYYY-'W'ww",
	"weekyear_week_day":                 weekDate,
	"year":                              "uuuu",
	"year_month":                        "uuuu-MM",
	"year_month_day":                    "uuuu-MM-dd",
}

// exact are strict formats that differ from the others by more than their zeros.
var exact = map[string]string{
	"strict_date":                "uuuu-MM-dd",
	"strict_date_time":           dateTime + "[f]j",
	"strict_date_time_no_millis": dateTime + "j",
	"strict_year_month_day":      "uuuu[-MM[-dd]]",
}

// builtin finds a format by its name. Those called strict, and those whose digits touch, need every leading zero.
func builtin(name string) (text string, lenient, ok bool) {
	if text, ok = exact[name]; ok {
		return text, false, true
	}
	plain, strict := strings.CutPrefix(name, "strict_")
	text, ok = builtins[plain]
	if plain == "iso8601" {
		return text, false, ok && !strict
	}
	return text, !strict && !strings.HasPrefix(plain, "basic_"), ok
}
