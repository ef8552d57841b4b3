#include "server/session/new_session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/session/session_id.h"
#include "server/session/session_value.h"

namespace rondo {

absl::Duration IdleTimeoutOf(const SessionOptions& options, const ServedModel& model) {
  return std::max(options.idle_timeout, absl::Seconds(model.spec().step_seconds) * options.idle_steps);
}

std::unique_ptr<LiveSession> NewSession(const SessionOptions& options, const SessionKey& key,
                                        absl::Duration idle_timeout, absl::Time now) {
  auto session = std::make_unique<LiveSession>();
  session->hash = key.hash;
  session->id = std::string(key.id);
  session->serial = NextSerial();
  session->idle_timeout_ns = absl::ToInt64Nanoseconds(idle_timeout);  // saturates at kForever
  session->last_used_ns = absl::ToUnixNanos(now);
  absl::Duration lifetime = options.max_lifetime;
  if (options.max_lifetime_of != nullptr) lifetime = std::min(lifetime, options.max_lifetime_of(TenantIn(key.id)));
  if (lifetime != absl::InfiniteDuration()) session->ends_at_ns = absl::ToUnixNanos(now + lifetime);
  return session;
}

void StartAt(FreshStart fresh, LiveSession* session) {
  session->model = std::move(fresh.model);
  session->state = std::move(fresh.state);
}

absl::StatusOr<std::unique_ptr<LiveSession>> MakeSession(absl::string_view id,
                                                         std::optional<absl::Duration> idle_timeout,
                                                         const SessionOptions& options, FreshStart fresh,
                                                         absl::Time now) {
  absl::StatusOr<std::string> used_id = IdIn(id).empty() ? RandomSessionId() : std::string();
  if (!used_id.ok()) return used_id.status();
  used_id->insert(0, id.data(), id.size());
  if (absl::Status valid = ValidateSessionId(*used_id); !valid.ok()) return valid;
  if (idle_timeout && (*idle_timeout <= absl::ZeroDuration() || *idle_timeout > options.max_idle_timeout)) {
    return absl::InvalidArgumentError(absl::StrCat("idle timeout is ", absl::FormatDuration(*idle_timeout),
                                                   "; wanted more than 0 and at most ",
                                                   absl::FormatDuration(options.max_idle_timeout)));
  }
  auto session =
      NewSession(options, SessionKey(*used_id), idle_timeout.value_or(IdleTimeoutOf(options, *fresh.model)), now);
  StartAt(std::move(fresh), session.get());
  return session;
}

absl::StatusOr<std::unique_ptr<LiveSession>> MakeSession(const SessionRecord& record, const SessionOptions& options,
                                                         FreshStart fresh, absl::Time now) {
  if (absl::Status valid = ValidateSessionId(record.id); !valid.ok()) return valid;
  if (absl::Status shape = CheckShape(record, *fresh.model->model); !shape.ok()) return shape;
  const absl::Duration longest = std::max(options.max_idle_timeout, IdleTimeoutOf(options, *fresh.model));
  auto session =
      NewSession(options, SessionKey(record.id), std::min(absl::Nanoseconds(record.idle_timeout_ns), longest), now);
  StartAt(std::move(fresh), session.get());
  GoOnFrom(record, session.get());
  return session;
}

}  // namespace rondo
