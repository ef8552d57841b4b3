#include "server/registry/model_loader.h"

#include <utility>

#include "absl/time/clock.h"
#include "base/thread_name.h"

namespace rondo {

ModelLoader::ModelLoader(ModelRegistry* registry, std::function<void(const absl::Status&)> on_look)
    : registry_(registry), on_look_(std::move(on_look)), thread_([this] { Run(); }) {}

ModelLoader::~ModelLoader() {
  Quit();
  thread_.join();
}

void ModelLoader::Ask() {
  const MutexLock lock(&mutex_);
  asked_ = true;
  changed_.SignalAll();
}

void ModelLoader::AskAndWait() {
  const MutexLock lock(&mutex_);
  asked_ = true;
  changed_.SignalAll();
  const uint64_t wanted = begun_ + 1;
  while (ended_ < wanted && !quitting_) changed_.Wait(&mutex_);
}

std::optional<absl::Status> ModelLoader::AwaitFirst(absl::Time deadline) {
  const MutexLock lock(&mutex_);
  for (absl::Time now = absl::Now(); !first_.has_value() && !quitting_ && now < deadline; now = absl::Now()) {
    changed_.WaitFor(&mutex_, deadline - now);
  }
  return first_;
}

void ModelLoader::Quit() {
  registry_->StopLoading();
  const MutexLock lock(&mutex_);
  quitting_ = true;
  changed_.SignalAll();
}

bool ModelLoader::busy() const {
  const MutexLock lock(&mutex_);
  return ended_ < begun_;
}

void ModelLoader::Run() {
  NameThisThread("rondo-loader");
  for (bool first = true;; first = false) {
    const absl::Status status = first ? registry_->LoadFirst() : registry_->Reload();
    const MutexLock lock(&mutex_);
    ++ended_;
    if (!quitting_) {
      on_look_(status);
      if (first) first_ = status;
      changed_.SignalAll();
    }
    while (!asked_ && !quitting_) changed_.Wait(&mutex_);
    if (quitting_) return;
    asked_ = false;
    ++begun_;
  }
}

}  // namespace rondo
