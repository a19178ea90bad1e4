# puma.py: puma, one process and a cluster, with requests in flight.
# SPDX-License-Identifier: MIT
from loss import Requests, row

RACK = '''
run lambda { |env|
  if env["PATH_INFO"] == "/slow"
    File.open("/srv/jobs", "a") { |file| file.puts "begun" }
    sleep 2
  end
  [200, {"content-length" => "4"}, ["done"]]
}
'''

for program, workers in ('puma', ''), ('puma, 2 workers', '-w 2 '):
    for form in 'exec', "sh -c 'setup; app'":
        row(program, f'puma -b tcp://127.0.0.1:8000 -t 8:8 {workers}config.ru',
            Requests(path='/slow'), form, files={'/srv/config.ru': RACK})
