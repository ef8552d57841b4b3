#ifndef RONDO_TESTS_TEMPORARY_FOLDER_H_
#define RONDO_TESTS_TEMPORARY_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "gtest/gtest.h"

namespace rondo {

// A folder of one object, gone with it. No two objects share a folder, whether in one process or in several: ctest runs
// the tests of one program side by side.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "/rondo_test.XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  // The path of file `name` in the folder.
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  // Makes `text` all that file `name` holds, and the folders on the way to it; returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name), std::ios::binary | std::ios::trunc) << text;
    return Path(name);
  }

 private:
  std::string path_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_TEMPORARY_FOLDER_H_
