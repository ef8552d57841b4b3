#include "server/listen/http_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rondo {
namespace {

// NAME=VALUE, either of which may have spaces around it, and the value quotes.
std::pair<absl::string_view, absl::string_view> Parameter(absl::string_view text) {
  const size_t equals = std::min(text.find('='), text.size());
  absl::string_view value = absl::StripAsciiWhitespace(text.substr(std::min(equals + 1, text.size())));
  if (absl::ConsumePrefix(&value, "\"")) absl::ConsumeSuffix(&value, "\"");
  return {absl::StripAsciiWhitespace(text.substr(0, equals)), value};
}

// Of one media range.
double QualityOf(absl::string_view range, absl::string_view type, absl::string_view version) {
  const std::vector<absl::string_view> parts = absl::StrSplit(range, ';');
  if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts[0]), type)) return 0;
  double quality = 1;
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto [name, value] = Parameter(parts[i]);
    if (absl::EqualsIgnoreCase(name, "version") && value != version) return 0;
    if (absl::EqualsIgnoreCase(name, "q") && !(absl::SimpleAtod(value, &quality) && quality >= 0 && quality <= 1)) {
      return 0;
    }
  }
  return quality;
}

}  // namespace

std::string HttpRequest::Field(absl::string_view name) const {
  std::string values;
  for (const absl::string_view line : absl::StrSplit(head_, "\r\n")) {
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos || !absl::EqualsIgnoreCase(line.substr(0, colon), name)) continue;
    absl::StrAppend(&values, values.empty() ? "" : ", ", absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return values;
}

double WantedQuality(absl::string_view accept, absl::string_view type, absl::string_view version) {
  double highest = 0;
  for (const absl::string_view range : absl::StrSplit(accept, ',')) {
    highest = std::max(highest, QualityOf(range, type, version));
  }
  return highest;
}

}  // namespace rondo
