// Saves numbered values to a session store until it is killed, and says which are acknowledged.
//
//   store_writer STORE     prints "saved N" after value N of session N % 100 has been saved
#include <array>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/store/session_store.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto store = rondo::OpenSessionStore(argv[1]);
  if (!store.ok()) {
    std::printf("%s\n", store.status().ToString().c_str());
    return 1;
  }
  for (int n = 0;; ++n) {
    const std::string id = absl::StrCat("session", n % 100);
    const std::string value = absl::StrCat(n);
    std::array<rondo::SessionStore::SaveOp, 1> saves;
    saves[0].id = id;
    saves[0].value = value;
    (*store)->Save(absl::MakeSpan(saves));
    if (!saves[0].status.ok()) return 1;
    std::printf("saved %d\n", n);
    std::fflush(stdout);
  }
}
