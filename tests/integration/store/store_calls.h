#ifndef RONDO_TESTS_INTEGRATION_STORE_STORE_CALLS_H_
#define RONDO_TESTS_INTEGRATION_STORE_STORE_CALLS_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/store/session_store.h"

namespace rondo {

// One id at a time.
inline absl::Status SaveOne(SessionStore& store, absl::string_view id, absl::string_view value, uint64_t epoch = 1,
                            absl::Time expires_at = absl::InfiniteFuture()) {
  std::array<SessionStore::SaveOp, 1> saves;
  saves[0].id = id;
  saves[0].value = value;
  saves[0].expires_at = expires_at;
  saves[0].epoch = epoch;
  saves[0].status = absl::UnknownError("not answered");
  store.Save(absl::MakeSpan(saves));
  return saves[0].status;
}

// Saves `value`, or leaves what is there if it is empty, and lets go of the id.
inline absl::Status LetGo(SessionStore& store, absl::string_view id, absl::string_view value, uint64_t epoch = 1,
                          SessionStore::After after = SessionStore::After::kLetGo) {
  SessionStore::SaveOp save;
  save.id = id;
  save.value = value;
  save.epoch = epoch;
  save.after = after;
  store.Save(absl::MakeSpan(&save, 1));
  return save.status;
}

inline SessionStore::LoadOp LoadOne(SessionStore& store, absl::string_view id) {
  std::array<SessionStore::LoadOp, 1> loads;
  loads[0].id = id;
  loads[0].status = absl::UnknownError("not answered");
  loads[0].value = "not answered";
  loads[0].epoch = 99;
  store.Load(absl::MakeSpan(loads));
  return loads[0];
}

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_STORE_STORE_CALLS_H_
