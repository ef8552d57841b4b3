#include "server/serve/record_refusal.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "server/refusal/refusal.h"

namespace rondo {

void RecordRefusal(const absl::Status& refusal, RequestsProbe* probe) {
  const Why why = RefusalOf(refusal).why;
  probe->rejected[why].Add();
  int64_t skipped = 0;
  if (!ShouldLogRefusal(LabelOf(why), &skipped)) return;
  LogEvent(LogLevel::kWarning, "refused",
           {{"reason", std::string(LabelOf(why))},
            {"code", absl::StatusCodeToString(refusal.code())},
            {"message", std::string(refusal.message())},
            {"skipped", absl::StrCat(skipped)}});
}

}  // namespace rondo
