#ifndef RONDO_SERVER_SERVE_END_NEWS_H_
#define RONDO_SERVER_SERVE_END_NEWS_H_

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/session/session_errors.h"

namespace rondo {

// The ends of sessions that a stream is to tell its client, each session once. One thread.
class EndNews {
 public:
  static constexpr size_t kMostAtOnce = 2048;  // some 300 kB of a message with ids of usual length

  // A newer end of a session replaces the older one.
  void Add(absl::string_view id, const SessionEnd& end) { ends_[id] = end; }
  // The end of the session is no news any more.
  void Drop(absl::string_view id) { ends_.erase(id); }
  void Clear() { ends_.clear(); }
  bool empty() const { return ends_.empty(); }
  // Tells whether the news fill a message.
  bool IsMuch() const { return ends_.size() >= kMostAtOnce; }

  // visit(id, end) for at most kMostAtOnce of them, which are told then.
  template <typename Visit>
  void TakeSome(const Visit& visit) {
    size_t taken = 0;
    for (auto it = ends_.begin(); it != ends_.end() && taken < kMostAtOnce; ++taken) {
      visit(it->first, it->second);
      ends_.erase(it++);
    }
    if (ends_.empty()) Clear();  // and the table is small again
  }

 private:
  absl::flat_hash_map<std::string, SessionEnd> ends_;  // by the session's id
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_END_NEWS_H_
