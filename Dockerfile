# syntax=docker/dockerfile:1
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /gateway
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
COPY plugins plugins
COPY routes routes
COPY samples samples
COPY docker docker
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /gateway
COPY --from=build /gateway/package.json ./
COPY --from=build /gateway/node_modules node_modules
COPY --from=build /gateway/dist dist
COPY samples/config.json samples/experiment.json samples/items.jsonl samples/events.jsonl samples/
COPY docker/healthcheck.js docker/
# All that is written goes to /data, so that the root file system can be read-only.
RUN mkdir /data && chown node:node /data && ln -s /gateway/dist/src/cli.js /usr/local/bin/gateway && chmod +x dist/src/cli.js
VOLUME /data
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s CMD ["node", "docker/healthcheck.js"]
CMD ["node", "dist/src/server.js"]
