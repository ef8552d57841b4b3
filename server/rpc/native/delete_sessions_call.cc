#include "server/rpc/native/delete_sessions_call.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/invalid.h"
#include "server/serve/or_out_of_memory.h"

namespace rondo {
namespace {

// A token of a part of what is in the store begins so; the place in the store follows, as hex digits.
constexpr absl::string_view kStoreToken = "store-";
constexpr size_t kMaxTokenBytes = 1024;

// What a line of the log says that a call has deleted.
std::string DeletedMany(const v1::DeleteSessionsRequest& request, const v1::DeleteSessionsResponse& response) {
  return absl::StrCat(response.deleted(), " of '", request.prefix(), "*'",
                      request.model().empty() ? "" : absl::StrCat(" of model '", request.model(), "'"));
}

}  // namespace

DeleteSessionsCall::Steps DeleteSessionsCall::MakeSteps() {
  return {nullptr, nullptr, nullptr, nullptr, "sessions_deleted", false, &DeletedMany};
}

absl::Status DeleteSessionsCall::Handle(SessionLease) {
  return OrOutOfMemory([this] { return DeleteHere(); });
}

absl::Status DeleteSessionsCall::DeleteHere() {
  if (request().prefix().empty() && request().model().empty() && !request().all()) {
    return Invalid("neither prefix nor model is given; wanted one of them, or all=true to delete every session");
  }
  absl::string_view token = request().page_token();
  if (!absl::ConsumePrefix(&token, kStoreToken)) return DeleteInMemory(request().page_token());
  if (!context()->sessions->has_store() || token.size() > kMaxTokenBytes) {
    return Invalid("the page token is not one of this server's; wanted the last answer's, or none");
  }
  stored_ = StoredDeletion{
      std::string(tenant()), request().prefix(), request().model(), absl::HexStringToBytes(token), 0, ClientName()};
  return absl::OkStatus();
}

absl::Status DeleteSessionsCall::DeleteInMemory(std::string page_token) {
  const absl::StatusOr<size_t> deleted =
      context()->sessions->DeleteMany({tenant(), request().prefix(), request().model()}, &page_token);
  if (!deleted.ok()) return deleted.status();
  if (page_token.empty() && context()->sessions->has_store()) page_token = std::string(kStoreToken);
  response()->set_deleted(static_cast<int64_t>(*deleted));
  response()->set_next_page_token(std::move(page_token));
  return absl::OkStatus();
}

bool DeleteSessionsCall::IsDone(SessionWait* sync) {
  if (!stored_) return true;
  sync->DeleteStored(&*stored_);
  return false;
}

void DeleteSessionsCall::Complete() {
  response()->set_deleted(static_cast<int64_t>(stored_->deleted));
  if (!stored_->from.empty()) {
    response()->set_next_page_token(absl::StrCat(kStoreToken, absl::BytesToHexString(stored_->from)));
  }
}

}  // namespace rondo
