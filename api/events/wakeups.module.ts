import { Module } from '@nestjs/common';
import { WakeupsService } from './wakeups.service.js';

@Module({ providers: [WakeupsService], exports: [WakeupsService] })
export class WakeupsModule {}
