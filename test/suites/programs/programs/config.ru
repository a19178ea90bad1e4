# SPDX-License-Identifier: MIT
run lambda { |_|
  $stdout.write "working\n"
  $stdout.flush
  sleep 0.1 until File.exist?("stopping")
  sleep 2
  [200, {}, ["saved\n"]]
}
