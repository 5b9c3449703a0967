/* Words of the protocol: status texts and dates. */
#include "http/conn.h"

#include <stdio.h>

static const struct {
  int status;
  const char *text;
} status_texts[] = {
    {200, "OK"},
    {101, "Switching Protocols"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Requested Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Entity"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_status_text(int status) {
  for (size_t i = 0; i < sizeof status_texts / sizeof status_texts[0]; i++) {
    if (status_texts[i].status == status) return status_texts[i].text;
  }
  return NULL;
}

static void two_digits(char *out, int n) {
  out[0] = (char)('0' + n / 10);
  out[1] = (char)('0' + n % 10);
}

/* The civil date of a day number since 1970-01-01 (proleptic Gregorian). */
static void civil(int64_t day, int *year, int *month, int *mday) {
  int64_t z = day + 719468; /* days since 0000-03-01 */
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  *mday = (int)(doy - (153 * mp + 2) / 5 + 1);
  *month = (int)(mp < 10 ? mp + 3 : mp - 9);
  *year = (int)(yoe + era * 400 + (*month <= 2));
}

void http_date(int64_t wall_ns, char out[32]) {
  static const char days[] = "ThuFriSatSunMonTueWed";
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int64_t second = wall_ns / 1000000000;
  if (wall_ns % 1000000000 < 0) second--;
  int64_t day = second / 86400, rest = second % 86400;
  if (rest < 0) {
    rest += 86400;
    day--;
  }
  int year, month, mday;
  civil(day, &year, &month, &mday);
  memcpy(out, "ddd, 00 mmm 0000 00:00:00 GMT", 30);
  memcpy(out, days + 3 * (((day % 7) + 7) % 7), 3);
  two_digits(out + 5, mday);
  memcpy(out + 8, months + 3 * (month - 1), 3);
  two_digits(out + 12, year / 100 % 100);
  two_digits(out + 14, year % 100);
  two_digits(out + 17, (int)(rest / 3600));
  two_digits(out + 20, (int)(rest / 60 % 60));
  two_digits(out + 23, (int)(rest % 60));
}
