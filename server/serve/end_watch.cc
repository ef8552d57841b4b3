#include "server/serve/end_watch.h"

#include <algorithm>
#include <cstddef>

namespace rondo {

void EndWatch::Watch(absl::string_view name, Stream* stream, const EndedSessions& ended) {
  if (streams_.empty()) seen_ = ended.count();
  std::vector<Stream*>& streams = streams_[name];
  if (std::find(streams.begin(), streams.end(), stream) == streams.end()) streams.push_back(stream);
}

void EndWatch::Forget(absl::string_view name, Stream* stream) {
  const auto found = streams_.find(name);
  if (found == streams_.end()) return;
  found->second.erase(std::remove(found->second.begin(), found->second.end(), stream), found->second.end());
  if (found->second.empty()) streams_.erase(found);
}

void EndWatch::Look(const EndedSessions& ended) {
  constexpr size_t kMostUnderTheLock = 256;
  struct Told {
    Stream* stream;
    std::string name;
    SessionEnd end;
  };
  bool more = !streams_.empty();
  while (more) {
    std::vector<Told> told;
    more = ended.VisitSince(&seen_, kMostUnderTheLock, [&](absl::string_view name, const SessionEnd& end) {
      const auto found = streams_.find(name);
      if (found == streams_.end()) return;
      for (Stream* const stream : found->second) told.push_back({stream, std::string(name), end});
    });
    for (const Told& one : told) one.stream->OnSessionEnded(one.name, one.end);
  }
}

}  // namespace rondo
