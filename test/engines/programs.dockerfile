# programs.dockerfile: real programs, for the tests of foster in front of them.
FROM debian:bookworm-slim
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && \
	mkdir -p /usr/share/man/man1 && apt-get update && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		-o Dpkg::Options::=--force-unsafe-io \
		postgresql redis-server mariadb-server nginx-light apache2 \
		gunicorn python3-uvicorn celery python3-redis python3 \
		nodejs openjdk-17-jre-headless ecj php-fpm libfcgi-bin \
		supervisor cron make curl procps && \
	apt-get clean
COPY spy /usr/bin/spy
COPY foster /foster
ENTRYPOINT ["/foster", "--"]
