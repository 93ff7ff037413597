import { Module } from '@nestjs/common';
import { WakeupsModule } from '../events/wakeups.module.js';
import { DatasetsController } from './datasets.controller.js';
import { DatasetsService } from './datasets.service.js';
import { StoredUploads } from './stored-uploads.js';
import { UploadChecksService } from './upload-checks.service.js';

@Module({
  imports: [WakeupsModule],
  controllers: [DatasetsController],
  providers: [DatasetsService, StoredUploads, UploadChecksService],
})
export class DatasetsModule {}
