// SPDX-License-Identifier: Apache-2.0
// What comes before main: the environment that libgomp reads when it is loaded.
#include <array>
#include <climits>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

// OpenMP's threads spin while they wait, which slows a machine with other work several times over; 2,000 turns cost
// nothing there and keep what spinning gains on a quiet one (harvest: 3.4 pictures/s, 2.8 without any). libgomp takes
// the number from its environment only, so the program starts itself once more with it, unless the user has chosen.
void spin_briefly(int, char** argv, char** environment) {
  std::vector<char*> with;
  for (char** it = environment; *it != nullptr; ++it) {
    const std::string_view variable = *it;
    if (variable.starts_with("GOMP_SPINCOUNT=") || variable.starts_with("OMP_WAIT_POLICY=")) return;
    with.push_back(*it);
  }
  char spin[] = "GOMP_SPINCOUNT=2000";
  with.insert(with.end(), {spin, nullptr});
  std::array<char, PATH_MAX> self{};  // by its own name, which `top` and `pidof` show
  if (::readlink("/proc/self/exe", self.data(), self.size() - 1) > 0) ::execve(self.data(), argv, with.data());
  // Where that fails, the program goes on, only slower.
}

// Run before the libraries' own initialisers: those of LibTorch take .3 s, and are not to run twice.
[[gnu::section(".preinit_array"), gnu::used]] void (*const before_libraries)(int, char**, char**) = spin_briefly;

}  // namespace
