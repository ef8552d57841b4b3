#include "server/serve/record_refusal.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "server/refusal/refusal.h"

namespace rondo {

void RecordRefusal(const absl::Status& refusal, const RefusedRequest& request, RequestsProbe* probe) {
  const Why why = RefusalOf(refusal).why;
  probe->rejected[why].Add();
  int64_t skipped = 0;
  if (!ShouldLogRefusal(LabelOf(why), &skipped)) return;
  const Caller* const caller = request.caller;
  LogEvent(LogLevel::kWarning, "refused",
           {{"reason", std::string(LabelOf(why))},
            {"code", absl::StatusCodeToString(refusal.code())},
            {"method", std::string(request.method)},
            {"model", std::string(request.model)},
            {"peer", caller != nullptr ? caller->peer() : ""},
            {"request_id", request.id.empty() && caller != nullptr ? caller->request_id() : std::string(request.id)},
            {"message", std::string(refusal.message())},
            {"skipped", absl::StrCat(skipped)}});
}

}  // namespace rondo
