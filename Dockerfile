# foster from source, and an image that holds it alone, for COPY --from=foster /foster /foster
FROM debian:bookworm-slim AS build
RUN apt-get update && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc make musl-tools && \
	rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD) -t foster .
ARG COMMIT=unknown
RUN make COMMIT="$COMMIT" && ./foster --version

FROM scratch
COPY --from=build /src/foster /foster
COPY LICENSE packaging/COPYRIGHT.musl /licenses/
# without the -- that images of programs have, so that docker run foster --version answers
ENTRYPOINT ["/foster"]
CMD ["--help"]
