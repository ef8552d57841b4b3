#ifndef RONDO_TESTS_INTEGRATION_STORE_TEMPORARY_DIRECTORY_H_
#define RONDO_TESTS_INTEGRATION_STORE_TEMPORARY_DIRECTORY_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace rondo {

// A folder of one test, gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(testing::TempDir() + "/rondo_store.XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_STORE_TEMPORARY_DIRECTORY_H_
