#ifndef RONDO_SERVER_STORE_REDIS_SCAN_H_
#define RONDO_SERVER_STORE_REDIS_SCAN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "server/store/session_store.h"

namespace rondo {

// The pattern of SCAN that matches `text` and nothing else.
std::string PatternOf(absl::string_view text);

// Reads what kScanScript has answered: adds the sessions of the scan's prefix to *scan, and sets *cursor. False: `text`
// is no answer of the script's.
bool ReadFound(absl::string_view text, std::string* cursor, SessionStore::ScanOp* scan);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_SCAN_H_
