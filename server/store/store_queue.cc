#include "server/store/store_queue.h"

#include <algorithm>
#include <utility>

namespace rondo {

StoreQueue::Group& StoreQueue::GroupFor(absl::string_view id, bool is_save) {
  const auto found = lines_.find(id);
  if (found != lines_.end()) {
    auto& groups = found->second->groups;
    if (groups.back().is_save() != is_save) groups.emplace_back();
    return groups.back();
  }
  auto line = std::make_unique<Line>();
  line->id = std::string(id);
  Group& group = line->groups.emplace_back();
  AwaitTurn(line.get(), is_save);
  const absl::string_view key = line->id;
  lines_.emplace(key, std::move(line));
  return group;
}

void StoreQueue::AwaitTurn(Line* line, bool is_save) { (is_save ? save_turns_ : load_turns_).push_back(line); }

void StoreQueue::Add(StoreLoad load) {
  Group& group = GroupFor(load.id, false);
  group.loads.push_back(std::move(load));
}

void StoreQueue::Add(StoreSave save) {
  Group& group = GroupFor(save.id, true);
  if (group.saves.empty()) {
    group.saves.push_back(std::move(save));
    return;
  }
  StoreSave& waiting = group.saves.front();
  if (save.value.empty()) {  // what is to be there then is what waits
    waiting.after = save.after;
    save.done.swap(waiting.done);
    return group.superseded.push_back(std::move(save.done));
  }
  group.superseded.push_back(std::move(waiting.done));
  waiting = std::move(save);
}

StoreQueue::Group StoreQueue::TakeFront(Line* line) {
  Group group = std::move(line->groups.front());
  line->groups.erase(line->groups.begin());
  if (line->groups.empty()) {
    lines_.erase(line->id);
  } else {
    AwaitTurn(line, line->groups.front().is_save());
  }
  return group;
}

std::vector<StoreQueue::Loads> StoreQueue::TakeLoads(size_t max) {
  std::vector<Loads> taken(std::min(max, load_turns_.size()));
  for (Loads& loads : taken) {
    Line* const line = load_turns_.front();
    load_turns_.pop_front();
    loads.id = line->id;
    loads.loads = TakeFront(line).loads;
  }
  return taken;
}

std::vector<StoreQueue::Saves> StoreQueue::TakeSaves(size_t max) {
  std::vector<Saves> taken(std::min(max, save_turns_.size()));
  for (Saves& saves : taken) {
    Line* const line = save_turns_.front();
    save_turns_.pop_front();
    Group group = TakeFront(line);
    saves = {std::move(group.saves.front()), std::move(group.superseded)};
  }
  return taken;
}

}  // namespace rondo
