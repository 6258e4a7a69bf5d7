# Debian and not Alpine: Temporal's core is a native library that needs glibc.
# The version of Node is the one that reembed is tested with.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# The packages alone first: this layer is kept until they change, whatever happens to the source.
COPY package.json package-lock.json .npmrc ./
# npm runs it: of Temporal's native libraries only the one for this platform stays.
COPY scripts/prune-bridges.ts ./scripts/
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE} AS runtime
# Node brings its own certificates, Temporal's core uses the system's: without them TLS to Temporal fails.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --owner=node --group=node /var/lib/reembed
WORKDIR /app
ENV NODE_ENV=production \
    REEMBED_DATA_DIR=/var/lib/reembed
# Owned by root: the process cannot change its own code.
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The word vectors of the `words` model.
COPY --from=build /app/data ./data
COPY --from=build /app/deploy/worker ./deploy/worker
COPY --from=build /app/package.json /app/LICENSE /app/NOTICE* ./
# By number, so that an orchestrator can see that it is not root; this is the image's `node`.
USER 1000:1000
EXPOSE 7400
# No HEALTHCHECK: api, worker and migrate are one image and have each their own in temporal-compose.yml.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["--help"]
