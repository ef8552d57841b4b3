#include "server/loop/compute_helpers.h"

#include <algorithm>

#include "base/thread_name.h"
#include "model/compute_thread.h"

namespace rondo {

ComputeHelpers::ComputeHelpers(size_t count) {
  threads_.reserve(count);
  for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { HelperThread(); });
}

ComputeHelpers::~ComputeHelpers() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  work_available_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
}

void ComputeHelpers::Run(size_t parts, absl::FunctionRef<void(size_t)> part) {
  if (threads_.empty() || parts <= 1) {
    for (size_t i = 0; i < parts; ++i) part(i);
    return;
  }
  Job job{part, parts};
  MutexLock lock(&mutex_);
  jobs_.push_back(&job);
  for (size_t i = 1; i < std::min(parts, threads_.size() + 1); ++i) work_available_.Signal();
  Work(&job);
  while (job.finished < job.parts) part_finished_.Wait(&mutex_);
}

void ComputeHelpers::Work(Job* job) {
  while (job->next < job->parts) {
    const size_t taken = job->next++;
    if (job->next == job->parts) jobs_.erase(std::find(jobs_.begin(), jobs_.end(), job));
    mutex_.Unlock();
    job->part(taken);
    mutex_.Lock();
    // Once the last part is counted the caller may return and the job be gone: it is not touched after that.
    const bool last = ++job->finished == job->parts;
    if (last) {
      part_finished_.SignalAll();
      return;
    }
  }
}

void ComputeHelpers::HelperThread() {
  NameThisThread("rondo-helper");
  PrepareComputeThread();
  MutexLock lock(&mutex_);
  while (true) {
    while (jobs_.empty() && !stopping_) work_available_.Wait(&mutex_);
    if (stopping_) return;
    Work(jobs_.front());
  }
}

}  // namespace rondo
