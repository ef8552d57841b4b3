#ifndef RONDO_SERVER_STORE_STORE_DIRECTORY_H_
#define RONDO_SERVER_STORE_STORE_DIRECTORY_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// The file that makes a directory a session store of Rondo, and what it says.
inline constexpr absl::string_view kMarkerFile = "RONDO_SESSIONS";
inline constexpr absl::string_view kMarkerText = "rondo sessions, format 1\n";

// Makes `directory` ready to hold sessions: makes it if it is missing, readable by its owner only, and marks it if it
// is empty (a lost+found does not count). FAILED_PRECONDITION: what is there is no directory, or another program's, or
// of a newer Rondo; nothing has been written into it. PERMISSION_DENIED, RESOURCE_EXHAUSTED: it cannot be made or
// marked.
absl::Status PrepareStoreDirectory(const std::string& directory);

// Returns how many bytes this process may still write into the directory; 0 if that cannot be known.
uint64_t FreeBytes(const std::string& directory);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_STORE_DIRECTORY_H_
