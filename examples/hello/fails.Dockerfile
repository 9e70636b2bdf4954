FROM busybox
RUN echo trying; exit 42
