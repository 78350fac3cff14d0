# Worker, gateway and command in one image. glibc is needed: ONNX Runtime and DuckDB bring no builds for musl.
FROM node:22.14.0-bookworm-slim AS build
WORKDIR /app
# Its install script would fetch CUDA libraries.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY examples ./examples
RUN npm run build && npm prune --omit=dev

FROM node:22.14.0-bookworm-slim
# For TLS to a Temporal of one's own.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production TENURE_HOME=/data
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY bin ./bin
COPY examples ./examples
# Made here, so that volumes mounted on them belong to the user below.
RUN mkdir -p /data/artifacts && chown -R node:node /data
USER node
CMD ["node", "dist/src/worker.js"]
