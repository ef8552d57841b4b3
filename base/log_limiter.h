#ifndef RONDO_BASE_LOG_LIMITER_H_
#define RONDO_BASE_LOG_LIMITER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rondo {

// Decides which of many equal log lines is written: the first of a key in each second. It is policy, without a clock or
// a lock.
class LogLimiter {
 public:
  // Keys beyond these share one entry, so that keys made from outside cannot grow it.
  static constexpr size_t kMaxKeys = 1000;

  // Returns true if the line is to be written; *skipped is then how many of its key were not, since the last one.
  bool Allow(absl::string_view key, absl::Time now, int64_t* skipped);

 private:
  struct Entry {
    absl::Time last = absl::InfinitePast();
    int64_t skipped = 0;
  };
  Entry& EntryOf(absl::string_view key);

  absl::flat_hash_map<std::string, Entry> entries_;
  Entry other_;
};

}  // namespace rondo

#endif  // RONDO_BASE_LOG_LIMITER_H_
